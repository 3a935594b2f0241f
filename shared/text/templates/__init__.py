"""Message templates: files checked whole when they are loaded, and rendered with checked values. Pure after loading.

`library.Templates` is the way in. jinja2 is imported where there is a template to load, and nowhere else.
"""
