"""`python -m lesion.agent` works as `lesion` does."""

from .cli import main

if __name__ == "__main__":
    main()
