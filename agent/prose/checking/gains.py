"""Words of gain and of harm, which turn a comparison round."""

import re

GAIN = re.compile(r"\b(?:gain|improve\w*|improvement|benefit\w*|help(?:s|ed|ful)?|boost)\b", re.IGNORECASE)


HARMFUL = re.compile(r"\b(?:harmful|detrimental|counterproductive)\b", re.IGNORECASE)
