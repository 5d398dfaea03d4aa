"""Where requests are dealt with: frames and pictures, watchlists, alerts."""
