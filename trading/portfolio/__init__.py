"""All of the money as one picture: what it is, what it earned, and how well. Reading only: `returns` and `calendar` are pure, the
rest asks the database for sums."""
