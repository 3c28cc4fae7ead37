"""Files of captions, whatever their form."""
