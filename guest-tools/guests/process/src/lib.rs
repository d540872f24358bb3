//! What programs of a hand have beyond std: descriptors, modes, child processes, signals.
