"""How many segments a text has, which is what `num_segments` says.

https://www.twilio.com/docs/glossary/what-sms-character-limit
"""

GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENDED = frozenset("\f^{}\\[~]|€")
GSM_ALL = GSM_BASIC | GSM_EXTENDED


def segments(body: str) -> int:
    """Count them: 160 or 153 GSM-7 characters each; 70 or 67 UTF-16 units where one is outside GSM-7."""
    if set(body) <= GSM_ALL:
        return _count([2 if character in GSM_EXTENDED else 1 for character in body], alone=160, joined=153)
    return _count([len(character.encode("utf-16-le")) // 2 for character in body], alone=70, joined=67)


def _count(costs: list[int], *, alone: int, joined: int) -> int:
    if sum(costs) <= alone:
        return 1
    count, room = 1, joined
    for cost in costs:
        if cost > room:
            count, room = count + 1, joined
        room -= cost
    return count
