"""The OpenAlgo streaming protocol, without input or output: requests in, frames out."""
