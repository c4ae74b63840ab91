"""Runs side by side: what differs in them, and whether one is better than chance explains.

`paired` and `unpaired` are the statistics, `groups` the runs of one experiment with other seeds,
`compare` puts them together. Nothing is imported here, as `apple-clf runs` needs little of it.
"""
