"""What is asked of a matcher and when: the plan that is drawn before the run."""
