"""The arrays of a forest score as the scikit-learn classifier that they were made of."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from codeassist.ranking.features import FEATURES
from codeassist.ranking.forest import LEAVES, forest_of
from codeassist.ranking.ranker import BOOSTERS, Examples, Ranker, best_threshold, calibrate, fit_ranker, new_classifier


def data(seed: int, rows: int = 900, features: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Continuous, integer and binary features, with a target that depends on some of them."""
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(rows, features)).astype(np.float32)
    matrix[:, 3] = random.integers(0, 4, rows)
    matrix[:, 4] = random.random(rows) < 0.3
    matrix[:, 5] = np.round(matrix[:, 5], 1)
    score = matrix[:, 0] * 1.5 + matrix[:, 3] - 2 * matrix[:, 4] * (matrix[:, 5] > 0)
    return matrix, (score + random.normal(size=rows) > 1).astype(float)


def fitted(seed: int, leaves: int = LEAVES) -> tuple[HistGradientBoostingClassifier, np.ndarray]:
    """A classifier and the rows that it was fitted on."""
    matrix, target = data(seed)
    classifier = HistGradientBoostingClassifier(
        max_leaf_nodes=leaves, max_iter=60, min_samples_leaf=5, max_features=0.5, random_state=seed
    )
    return classifier.fit(matrix, target), matrix


@pytest.mark.parametrize(
    ("seed", "leaves"),
    [(1, LEAVES), (2, LEAVES), (3, 10), (7, 9), (8, 8), (9, 2)],  # with up to 9 leaves one look-up leads to the value
)
def test_probabilities_equal_those_of_scikit_learn(seed: int, leaves: int) -> None:
    classifier, matrix = fitted(seed, leaves)
    other, _ = data(seed + 10)
    both = np.vstack([matrix, other])
    np.testing.assert_allclose(forest_of(classifier).probability(both), classifier.predict_proba(both)[:, 1], atol=1e-9)


def test_values_on_a_threshold_go_the_same_way() -> None:
    classifier, matrix = fitted(4)
    forest = forest_of(classifier)
    finite = np.unique(forest.threshold[np.isfinite(forest.threshold)])[:50]
    edges = np.zeros((len(finite) * 3, matrix.shape[1]), dtype=np.float32)
    near = (np.nextafter(finite, -np.inf, dtype=np.float32), finite, np.nextafter(finite, np.inf, dtype=np.float32))
    edges[:] = np.concatenate(near)[:, None]
    np.testing.assert_allclose(forest.probability(edges), classifier.predict_proba(edges)[:, 1], atol=1e-9)


@pytest.mark.parametrize("rows", [0, 1, 255, 256, 257])
def test_any_number_of_rows(rows: int) -> None:
    classifier, matrix = fitted(5)
    forest = forest_of(classifier)
    np.testing.assert_allclose(forest.log_odds(matrix[:rows]), forest.log_odds(matrix)[:rows])


def test_trees_without_a_test_give_the_share_of_the_rows() -> None:
    matrix, target = np.ones((200, 4), dtype=np.float32), np.arange(200) % 4 == 0
    classifier = HistGradientBoostingClassifier(max_iter=5).fit(matrix, target)
    np.testing.assert_allclose(forest_of(classifier).probability(matrix), 0.25, atol=1e-9)


def test_a_tree_with_too_many_leaves_is_refused() -> None:
    grown, _ = fitted(6, leaves=2 * LEAVES)
    with pytest.raises(ValueError, match="leaves"):
        forest_of(grown)


def test_a_ranker_of_one_site_scores_as_the_mean_of_its_classifiers() -> None:
    matrix, target = data(7)
    examples = Examples(matrix, target, np.arange(len(target)) // 10, seed=7)

    def mean(train: np.ndarray, rows: np.ndarray) -> np.ndarray:
        models = [new_classifier(7 + n, len(train), general=False) for n in range(BOOSTERS)]
        return np.mean([m.fit(matrix[train], target[train]).decision_function(rows) for m in models], axis=0)

    everything = np.arange(len(target))
    other, _ = data(8)
    np.testing.assert_allclose(examples.forest().log_odds(other).ravel(), mean(everything, other), atol=1e-9)
    places, scores = examples.out_of_fold(0)
    expected = 1 / (1 + np.exp(-mean(np.setdiff1d(everything, places), matrix[places])))
    np.testing.assert_allclose(scores, expected, atol=1e-9)
    assert BOOSTERS > 1


@pytest.mark.parametrize(
    ("target", "learnable"),
    [([1, 0] * 10, True), ([1] * 20, False), ([1, 1] + [0] * 18, False), ([0, 0] + [1] * 18, False)],
    ids=["right and wrong in each note", "all right", "right ones in one note", "wrong ones in one note"],
)
def test_right_and_wrong_ones_are_needed_beside_each_fold(target: list[int], learnable: bool) -> None:
    matrix = np.zeros((20, len(FEATURES)), dtype=np.float32)
    examples = Examples(matrix, np.array(target, dtype=float), np.arange(20) // 2, seed=7)
    assert examples.both_in_each_fold is learnable


def test_a_fitted_ranker_is_calibrated_on_rows_it_has_not_seen() -> None:
    matrix, target = data(7, rows=1500)
    ranker, _ = fit_ranker(matrix, target, np.arange(1500) // 10, missed=0, seed=7)
    assert isinstance(ranker, Ranker)
    fresh, truth = data(8, rows=3000)
    probability = ranker.probability(fresh)
    assert probability.min() >= 0 and probability.max() <= 1
    for low in np.arange(0, 1, 0.2):
        inside = (probability >= low) & (probability < low + 0.2)
        if inside.sum() > 100:
            assert abs(probability[inside].mean() - truth[inside].mean()) < 0.1


def test_calibration_keeps_the_order() -> None:
    raw = np.linspace(0, 1, 101)
    assert (np.diff(calibrate(raw, np.array([0.2, 0.5]), np.array([0.1, 0.1]))) > 0).all()


@pytest.mark.parametrize(
    ("probability", "target", "missed", "threshold"),
    [([0.9, 0.8, 0.3, 0.1], [1, 1, 0, 0], 0, 0.8), ([0.9, 0.5, 0.4], [0, 1, 1], 0, 0.4), ([], [], 3, 0.5)],
)
def test_threshold_of_the_best_f1(probability: list[float], target: list[int], missed: int, threshold: float) -> None:
    assert best_threshold(np.array(probability), np.array(target, dtype=float), missed) == threshold
