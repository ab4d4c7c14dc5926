"""Each planted truth counted in a made-up company that is wholly known."""
