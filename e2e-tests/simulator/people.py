"""Invented Brazilians with valid documents, from a seed. Nobody real is meant; phones use a reserved-looking range."""

from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

FIRST_NAMES = (
    "Ana", "Bruno", "Camila", "Diego", "Eduarda", "Felipe", "Gabriela", "Henrique", "Isabela", "João",
    "Karina", "Lucas", "Mariana", "Natália", "Otávio", "Paula", "Rafael", "Sofia", "Thiago", "Vitória",
)  # fmt: skip
LAST_NAMES = (
    "Almeida", "Barbosa", "Cardoso", "Dias", "Esteves", "Ferreira", "Gomes", "Lima", "Moreira", "Nunes",
    "Oliveira", "Pereira", "Queiroz", "Ribeiro", "Santos", "Teixeira", "Vieira", "Xavier",
)  # fmt: skip
CARS = (
    ("Chevrolet", "Onix"),
    ("Fiat", "Argo"),
    ("Hyundai", "HB20"),
    ("Volkswagen", "Polo"),
    ("Toyota", "Yaris"),
)
CENTER = (-23.5614, -46.6559)
PASSWORD = "uma-senha-bem-longa"  # of people who do not exist


@dataclass
class People:
    """Makes people; equal seeds make equal people. `run` keeps two runs' phones and e-mails apart."""

    seed: int
    run: str = ""
    _made: int = 0
    random: Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = Random(f"{self.seed}{self.run}")

    def passenger(self) -> dict[str, Any]:
        """A registration body."""
        self._made += 1
        name = f"{self.random.choice(FIRST_NAMES)} {self.random.choice(LAST_NAMES)}"
        return {
            "user_type": "passenger",
            "email": f"p{self._made}.{self._word()}@example.com",
            "phone": f"+55119{self.random.randrange(10**7, 10**8):08d}",
            "password": PASSWORD,
            "full_name": name,
            "cpf": self.cpf(),
        }

    def driver(self, *, category: str = "standard") -> dict[str, Any]:
        """A registration body with a car, a CNH and a random Pix key."""
        brand, model = self.random.choice(CARS)
        return self.passenger() | {
            "user_type": "driver",
            "email": f"d{self._made}.{self._word()}@example.com",
            "cnh_number": self.cnh(),
            "pix_key": str(UUID(int=self.random.getrandbits(128), version=4)),
            "pix_key_type": "evp",
            "vehicle": {
                "license_plate": self.plate(),
                "brand": brand,
                "model": model,
                "year": self.random.randrange(2016, 2026),
                "category": category,
            },
        }

    def cpf(self) -> str:
        digits = [self.random.randrange(10) for _ in range(9)]
        for weights in (range(10, 1, -1), range(11, 1, -1)):
            digits.append(sum(d * w for d, w in zip(digits, weights, strict=True)) * 10 % 11 % 10)
        return "".join(map(str, digits))

    def cnh(self) -> str:
        digits = [self.random.randrange(10) for _ in range(9)]
        first = sum(d * w for d, w in zip(digits, range(9, 0, -1), strict=True)) % 11
        discount, first = (2, 0) if first >= 10 else (0, first)
        second = sum(d * w for d, w in zip(digits, range(1, 10), strict=True)) % 11 - discount
        second = second + 11 if second < 0 else second
        return "".join(map(str, [*digits, first, 0 if second >= 10 else second]))

    def plate(self) -> str:
        letters = [self.random.choice("ABCDEFGHJKLMNPRSTUVWXYZ") for _ in range(4)]
        digits = [str(self.random.randrange(10)) for _ in range(3)]
        return "".join([*letters[:3], digits[0], letters[3], *digits[1:]])

    def place(
        self, *, within_deg: float = 0.008, center: tuple[float, float] = CENTER
    ) -> tuple[float, float]:
        """A point near São Paulo's Avenida Paulista; 0.008 degrees are about 900 m."""
        lat, lon = (axis + self.random.uniform(-within_deg, within_deg) for axis in center)
        return round(lat, 6), round(lon, 6)

    def trip(self) -> dict[str, Any]:
        """A ride request over a few kilometres."""
        pickup = self.place()
        dropoff = self.place(within_deg=0.04)
        return {
            "pickup_lat": pickup[0],
            "pickup_lon": pickup[1],
            "dropoff_lat": dropoff[0],
            "dropoff_lon": dropoff[1],
            "category": "standard",
        }

    def _word(self) -> str:
        return f"{self.random.getrandbits(40):010x}"
