"""What things cost, always as ratios within one run: `python -m bench.NAME`, in the virtual environment of dev.py."""
