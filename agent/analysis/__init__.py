"""Statistics: pure functions from arrays of measurements to estimates, verdicts and what further seeds would buy."""
