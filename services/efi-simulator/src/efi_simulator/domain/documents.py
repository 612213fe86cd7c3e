"""The JSON that Efí shows for each noun (reference §1.2, §1.4, §1.5, §1.7)."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from efi_simulator.domain.bank import Bank
from efi_simulator.domain.nouns import Charge, ReceivedPix, Refund, Return, Send, SendStatus, Webhook

Json = dict[str, Any]

REJECTION = {
    "codigo": "AC03",
    "origem": "PSP do usuário recebedor",
    "motivo": "Conta do recebedor inexistente.",
}


def valor(amount: Decimal) -> str:
    return f"{amount:.2f}"


def horario(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def cob(bank: Bank, charge: Charge) -> Json:
    """A charge, with what paid it."""
    optional = {
        "devedor": charge.debtor,
        "solicitacaoPagador": charge.message,
        "infoAdicionais": list(charge.info),
        "pix": [pix(bank.received[e2e_id]) for e2e_id in charge.paid_by],
    }
    return {
        "calendario": {"criacao": horario(charge.created_at), "expiracao": charge.expires_s},
        "txid": charge.txid,
        "revisao": charge.revision,
        "loc": {"id": charge.location_id, "location": charge.location, "tipoCob": "cob"},
        "location": charge.location,
        "status": charge.status.value,
        "valor": {"original": valor(charge.amount)},
        "chave": charge.key,
        "pixCopiaECola": charge.copy_paste,
        **{name: value for name, value in optional.items() if value},
    }


def pix(received: ReceivedPix) -> Json:
    """A received Pix: a query's answer and a webhook's entry alike."""
    extras: Json = {"tarifa": valor(received.fee)} if received.fee else {}
    if received.payer_cpf:
        extras["pagador"] = {
            "nome": "Pagador Simulado",
            "cpf": f"***.{received.payer_cpf[3:6]}.{received.payer_cpf[6:9]}-**",
            "codigoBanco": received.e2e_id[1:9],
        }
    optional = {
        "txid": received.txid,
        "gnExtras": extras,
        "devolucoes": [devolucao(refund) for refund in received.refunds],
    }
    return {
        "endToEndId": received.e2e_id,
        "chave": received.key,
        "valor": valor(received.amount),
        "horario": horario(received.received_at),
        **{name: value for name, value in optional.items() if value},
    }


def devolucao(refund: Refund) -> Json:
    times = {"solicitacao": horario(refund.requested_at)}
    if refund.settled_at:
        times["liquidacao"] = horario(refund.settled_at)
    return {
        "id": refund.id,
        "rtrId": refund.return_id,
        "valor": valor(refund.amount),
        "horario": times,
        "status": refund.shown.value,
        **({"motivo": refund.reason} if refund.reason else {}),
    }


def accepted_send(send: Send) -> Json:
    """The answer to the order; its result comes later."""
    return {
        "idEnvio": send.id_envio,
        "e2eId": send.e2e_id,
        "valor": valor(send.amount),
        "horario": {"solicitacao": horario(send.requested_at)},
        "status": SendStatus.PROCESSING.value,
    }


def enviado(send: Send) -> Json:
    """A query's answer about a send. The owner's document is masked, as Efí does."""
    times = {"solicitacao": horario(send.requested_at)}
    if send.shown is SendStatus.DONE and send.settled_at:
        times["liquidacao"] = horario(send.settled_at)
    optional = {
        "infoPagador": send.message,
        "gnExtras": {"tarifa": valor(send.fee)} if send.fee and send.shown is SendStatus.DONE else {},
        "erro": REJECTION if send.shown is SendStatus.REJECTED else None,
        "devolucoes": [retorno(one) for one in send.returns],
    }
    return {
        "endToEndId": send.e2e_id,
        "idEnvio": send.id_envio,
        "valor": valor(send.amount),
        "chave": send.key,
        "status": send.shown.value,
        "horario": times,
        "favorecido": {
            "chave": send.key,
            "identificacao": {"nome": "Favorecido Simulado", "cpf": "***.456.789-**"},
        },
        **{name: value for name, value in optional.items() if value},
    }


def retorno(returned: Return) -> Json:
    """No source shows the JSON of a returned send; this is the shape of a refund."""
    moment = horario(returned.returned_at)
    return {
        "id": returned.return_id,
        "rtrId": returned.return_id,
        "valor": valor(returned.amount),
        "horario": {"solicitacao": moment, "liquidacao": moment},
        "status": "DEVOLVIDO",
    }


def send_notice(send: Send, *, our_key: str) -> Json:
    """A webhook's entry about a send, its returns included."""
    done = send.shown is SendStatus.DONE
    extras: Json = {"idEnvio": send.id_envio}
    if done and send.fee:
        extras["tarifa"] = valor(send.fee)
    if not done:
        extras["erro"] = REJECTION
    return {
        "endToEndId": send.e2e_id,
        "chave": our_key,
        "tipo": "SOLICITACAO",
        "status": send.shown.value,
        "valor": valor(send.amount),
        "horario": horario(send.settled_at or send.requested_at) if done else None,
        "gnExtras": extras,
        **({"devolucoes": [retorno(one) for one in send.returns]} if send.returns else {}),
    }


def webhook(registered: Webhook) -> Json:
    return {
        "webhookUrl": registered.url,
        "chave": registered.key,
        "criacao": horario(registered.created_at),
    }
