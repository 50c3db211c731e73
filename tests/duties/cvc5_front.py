"""A cvc5 that speaks SMT-LIB on standard input, from the wheel's Python interface: the wheel ships no program.

Takes and ignores the program's own arguments but `--tlimit`.
"""
import os, sys
import cvc5


def fresh(limit):
    solver = cvc5.Solver()
    if limit:
        solver.setOption("tlimit-per", limit)
    symbols = cvc5.SymbolManager(solver)
    return solver, symbols, cvc5.InputParser(solver, symbols)


def whole(text):
    """Whether all parentheses are closed, outside strings, quoted symbols and comments."""
    depth, place, quote = 0, 0, None
    while place < len(text):
        char = text[place]
        if quote:
            if char == quote:
                quote = None
        elif char in '"|':
            quote = char
        elif char == ";":
            end = text.find("\n", place)
            place = len(text) if end < 0 else end
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
        place += 1
    return depth == 0 and quote is None


def main():
    limit = next((word.split("=", 1)[1] for word in sys.argv if word.startswith("--tlimit=")), None)
    solver, symbols, parser = fresh(limit)
    pending = ""
    for line in sys.stdin:
        pending += line
        if not whole(pending):
            continue
        text, pending = pending, ""
        if text.strip() == "(reset)":
            solver, symbols, parser = fresh(limit)
            continue
        parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "stdin")
        while not (command := parser.nextCommand()).isNull():
            said = command.invoke(solver, symbols)
            said = said.decode() if isinstance(said, bytes) else said
            if said and said.strip() != "success":
                sys.stdout.write(said if said.endswith("\n") else said + "\n")
        sys.stdout.flush()


main()
