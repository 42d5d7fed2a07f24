from tfgan_mnist.system import seeds

PURPOSES = (
    seeds.DATA,
    seeds.LATENTS,
    seeds.DROPOUT,
    seeds.PICTURE,
    seeds.EVALUATION,
    seeds.CLUSTERS,
)


def test_seeds_differ_by_run_purpose_and_number():
    found = {
        tuple(seeds.fold_in(seeds.run_seed(run, purpose), number).numpy())
        for run in range(3)
        for purpose in PURPOSES
        for number in range(5)
    }
    assert len(found) == 3 * len(PURPOSES) * 5
