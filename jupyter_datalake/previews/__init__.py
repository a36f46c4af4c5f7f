"""Looking at files: a page of them, whatever their size, and never more than is shown."""
