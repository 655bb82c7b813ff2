"""An SVG file made ready to stand inside a page: no prolog, ids of its own, a title and a description."""

from xml.etree import ElementTree

_REFERENCE = "url(#"
_XLINK = "{http://www.w3.org/1999/xlink}href"


def inline_svg(image: bytes, name: str, title: str, description: str) -> str:
    """The drawing as an element; every id begins with `name`, so that several can stand in one page.

    Args:
        image: an SVG file as matplotlib writes it.
        name: unique in the page.
        title: plain text.
        description: likewise.
    """
    root = ElementTree.fromstring(image)
    for element in root.iter():
        element.tag = _local(element.tag)
        element.attrib = {_local(key): _own(key, value, name) for key, value in element.attrib.items()}
    _drop(root)
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-description")
    root.attrib.pop("version", None)
    for at, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = ElementTree.Element(tag, {"id": f"{name}-{'title' if tag == 'title' else 'description'}"})
        element.text = text
        root.insert(at, element)
    return ElementTree.tostring(root, encoding="unicode")


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _own(key: str, value: str, name: str) -> str:
    if key == "id":
        return f"{name}-{value}"
    if key in (_XLINK, "href") and value.startswith("#"):
        return f"#{name}-{value[1:]}"
    return value.replace(_REFERENCE, f"{_REFERENCE}{name}-") if _REFERENCE in value else value


def _drop(root: ElementTree.Element) -> None:
    """Style sheets would hold for the whole page, which has the same rules; what is said about the file is said there too."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in ("style", "metadata"):
                parent.remove(child)
