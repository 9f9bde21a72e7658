"""The studio: a page where people direct the emotion, and an HTTP API. A thin door to the pipeline.

The server itself does no media work and imports none of the pipeline: that happens in child processes (`child`), a
long-lived one for quick answers (`previews`) and one for every upload and every job (`work`).
"""
