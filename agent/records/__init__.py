"""What a study has found, as data, feature by feature; `results` puts all of it together."""
