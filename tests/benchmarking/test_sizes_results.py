"""Cost against sizes: the sentences and the table."""

from benchmarking import sizes_results


def test_summary(rows):
    assert sizes_results.summary(rows)[1:] == [
        "clips of a batch: seconds grow with the power 1.00; linear from 1 on",
        "resident memory is flat: 400 MB at frame 50, 400 MB at frame 100 (+0.0 MB)",
    ]


def test_what_rematerialisation_saves(rows):
    kept = [row for row in rows if row["axis"] == "clip_length"]
    recomputed = [
        {**row, "axis": "rematerialised", "step_memory_mb": 2.5, "seconds": 1.5 * row["seconds"]}
        for row in kept
    ]
    assert (
        "rematerialised, a step of 16 frames takes 0.25 of the memory and 1.50 times the seconds"
        in sizes_results.summary([*kept, *recomputed])
    )


def test_markdown(rows):
    text = sizes_results.markdown(rows, {"cpu": "Some CPU"}, ["a note"])
    assert text.startswith("- cpu: Some CPU\n- note: a note\n")
    assert "| 4 | 4 x 16 x 32 x 64 | 4 (4 - 4) | 1.5 | 1.00 | 10 |" in text
    assert "| 100 | 400 |" in text
    assert "| memory of a step, MB |" in text and "GPU" not in text
    on_gpu = [{**row, "device": "gpu"} for row in rows]
    assert "| GPU memory of a step, MB |" in sizes_results.markdown(on_gpu, {})
