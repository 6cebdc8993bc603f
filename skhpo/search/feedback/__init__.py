"""What a search tells people: while it runs, when fits fail, and when it is shown."""
