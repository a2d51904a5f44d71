"""One month of a professional-services firm: planned first, then acted out over HTTP."""
