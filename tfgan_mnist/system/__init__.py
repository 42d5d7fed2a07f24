"""What has nothing to do with GANs: errors, files, flags, interrupts, seeds."""
