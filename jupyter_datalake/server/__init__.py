"""The Jupyter server extension: REST by noun, one event stream, authenticated and authorised."""
