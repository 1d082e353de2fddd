"""The admin UI of a TP-Link XX230v: a page that encrypts, and the server behind it."""
