use super::*;

/// `docs/lockdown.md` names each limit once, with its default.
#[test]
fn the_limits_of_a_statement_are_as_written() {
    let text = include_str!("../../../../docs/lockdown.md");
    let (_, section) = text.split_once("\n## Limits of a statement\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let written = rows.map(|row| {
        let mut cells = row.trim_matches('|').split(" | ");
        let name = cells.next().unwrap().trim().trim_matches('`');
        (name, cells.next().unwrap().parse().unwrap())
    });
    let Limits {
        statement_bytes_max,
        tokens_max,
        depth_max,
        run_tokens_max,
        chain_operators_max,
        arms_max,
        commas_max,
        joins_max,
        cases_max,
        ctes_max,
        relations_max,
        identifier_bytes_max,
        parser_depth_max,
        parser_steps_max,
        items_max,
    } = Limits::default();
    let wanted = [
        ("statement_bytes_max", statement_bytes_max),
        ("tokens_max", tokens_max),
        ("depth_max", depth_max),
        ("run_tokens_max", run_tokens_max),
        ("chain_operators_max", chain_operators_max),
        ("arms_max", arms_max),
        ("commas_max", commas_max),
        ("joins_max", joins_max),
        ("cases_max", cases_max),
        ("ctes_max", ctes_max),
        ("relations_max", relations_max),
        ("identifier_bytes_max", identifier_bytes_max),
        ("parser_depth_max", parser_depth_max),
        ("parser_steps_max", parser_steps_max),
        ("items_max", items_max),
    ];
    assert_eq!(written.collect::<Vec<(&str, usize)>>(), wanted);
}
