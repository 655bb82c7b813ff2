"""Python runs this when it starts in a command's environment: attaches to the script before its first line."""
