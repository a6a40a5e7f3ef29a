"""The miniature Wan2.1 model and its training: module definitions whose tensors carry diffusers' names, optimisers, loops.

Shapes use B batch, C channels, T latent or pixel frames, H W rows and columns, N tokens, L text length, D width.
"""
