"""What a script can be told from outside, read from its source: flags, constants, defaults, configuration files."""
