"""Over-training: loss where size and data wear off at the same rate, so that tokens a parameter only move the weight."""

from fitting.law import Law, Param, Published, coefficient

SOURCE = "arXiv 2403.08540, its recipe (least squares on losses, five small runs) on its released C4 validation losses"
NOTE = "Refitted from the paper's runs to more digits than it prints."


def formula(params, tokens, E, A, B, eta):
    return E + A * params**-eta + B * tokens**-eta


# In compute C = 6ND and tokens a parameter M = D/N this is E + (a M^(eta/2) + b M^(-eta/2)) C^(-eta/2), with
# a = A 6^(eta/2) and b = B 6^(eta/2): at any M the reducible loss falls with compute at one rate, which is the paper's point.
law = Law(
    key="overtraining",
    title="Over-training L(N, D)",
    formula=formula,
    latex=r"L(N, D) = E + A\,N^{-\eta} + B\,D^{-\eta}",
    inputs=("params", "tokens"),
    exponents=("eta", "eta"),
    params=(
        Param("E", "E", "nats", "the loss that no model and no data get below (entropy of the text)", (0.0, 1e3), log=False),
        Param("A", "A", "nats params^eta", "weight of the term for finite model size", (1e-12, 1e60),
              anchor=coefficient("params", "eta")),
        Param("B", "B", "nats tokens^eta", "weight of the term for finite data", (1e-12, 1e60),
              anchor=coefficient("tokens", "eta")),
        Param("eta", r"\eta", "", "how fast the loss falls with model size and with data alike", (0.01, 3.0)),
    ),
    cite="Gadre et al. 2024, arXiv 2403.08540, eq. 4 with D = MN",
    published=(
        Published("Gadre et al. 2024, C4",
                  {"E": 1.50826, "A": 113.693, "B": 152.512, "eta": 0.242472}, SOURCE, note=NOTE),
        Published("Gadre et al. 2024, RedPajama",
                  {"E": 1.83665, "A": 166.211, "B": 287.168, "eta": 0.272851}, SOURCE, note=NOTE),
        Published("Gadre et al. 2024, RefinedWeb",
                  {"E": 1.73446, "A": 125.096, "B": 196.029, "eta": 0.254395}, SOURCE, note=NOTE),
    ),
)  # fmt: skip
