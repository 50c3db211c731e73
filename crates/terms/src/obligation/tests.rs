use super::*;

#[test]
fn the_k_of_a_dataset_is_that_of_its_highest_grade_and_at_least_grade_twos() {
    let thresholds = Thresholds::default();
    assert_eq!(Grade::ALL.map(|grade| thresholds.of(grade)), [5, 5, 10, 10]);
    let crossed = Thresholds {
        grade_two: 20,
        grade_three: 10,
    };
    assert_eq!(Grade::ALL.map(|grade| crossed.of(grade)), [20; 4]);
}

#[test]
fn the_stricter_cap_binds_each_by_itself() {
    let caps = |rows_max, result_bytes_max| Obligations {
        rows_max,
        result_bytes_max,
    };
    assert_eq!(caps(10, 2000).strictest(caps(20, 1000)), caps(10, 1000));
    assert_eq!(caps(20, 1000).strictest(caps(10, 2000)), caps(10, 1000));
    assert_eq!(caps(0, 1).strictest(caps(1, 0)), caps(0, 0));
}
