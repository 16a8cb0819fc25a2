//! From what a gateway sees of its sink to the rates of its dam: the brain, and the controllers it is held against.
