"""`python -m benchmarks`. Kept tiny: peers' workers import it again in every process they start."""

if __name__ == "__main__":
    from benchmarks.command import main

    raise SystemExit(main())
