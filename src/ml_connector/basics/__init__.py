"""The ground floor: money, ids, time, errors and paging; it knows nothing above it."""
