"""Engines that run a network. One file each; the rest of the stage knows only `detector.Backend`."""
