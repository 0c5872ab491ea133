# SPDX-License-Identifier: Apache-2.0
"""table.py VIGIE: every benchmark that has an original beside ours, as one table on stdout; progress goes to stderr."""
import bench
import bench_idle
import bench_jmx
import bench_scrape

HEAD = ("what", "the original", "", "vigie", "unit", "ratio", "answers")


def figure(x):
    return "-" if x is None else f"{x:.2f}" if x < 10 else f"{x:.0f}"


def cells(row):
    return row.what, figure(row.theirs), row.peer, figure(row.ours), row.unit, row.ratio(), row.answers


def print_table(rows):
    lines = [HEAD, *map(cells, rows)]
    wide = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    right = (1, 3, 5)
    lines.insert(1, tuple("-" * w for w in wide))
    for line in lines:
        print("  ".join(c.rjust(wide[i]) if i in right else c.ljust(wide[i]) for i, c in enumerate(line)).rstrip())


def main():
    said = bench.machine()
    rows = [row for part in (bench_scrape, bench_jmx, bench_idle) for row in part.rows()]
    print(f"{said}\n")
    print_table(rows)


main()
