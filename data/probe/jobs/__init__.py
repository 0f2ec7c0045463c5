"""The runs of a sweep as a job of something else than this machine's queue: one text template a kind, one command in all of them.

`settings` is what a person says of their cluster, `text` fills a template; what is put into one is quoted for where it stands.
"""
