"""The subcommands of `street721`: arguments in, calls to the stages, text or JSON out."""
