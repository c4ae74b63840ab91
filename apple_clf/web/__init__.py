"""A run over HTTP: answers, what happens inside the network, and the page to draw on."""
