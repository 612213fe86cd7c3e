"""The facts that services tell each other, one module a publisher, and the topics that carry them."""
