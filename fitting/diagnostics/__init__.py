"""What a fit is asked before it is used: checks, calibration, sensitivity, case deletion, the floor's profile."""
