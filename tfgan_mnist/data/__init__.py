"""What is imitated. A batch is a function of the step number."""
