"""Tables that only follow from a made-up company: what it sells, who refers, what the market says."""
