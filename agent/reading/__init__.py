"""Components from what stands in files and from what the live model shows."""
