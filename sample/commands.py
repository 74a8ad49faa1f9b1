"""Commands of this room: sample, serve-sample."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from cchc import cli, progress
from cchc.periods import UnknownPeriod
from sample import budget, mail, portal
from sample.province import write_province


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("sample")(sample)
    app.command("serve-sample")(serve_sample)


def sample(
    folder: Annotated[Path, typer.Argument(help="Thư mục để ghi tỉnh mẫu")],
    period: Annotated[str, typer.Option(help="Kỳ báo cáo")] = "2024-H1",
    seed: Annotated[int, typer.Option(help="Hạt giống: cùng hạt giống, cùng dữ liệu")] = 2024,
    scale: Annotated[float, typer.Option(help="1 = đủ số hồ sơ của kỳ")] = 1.0,
    messiness: Annotated[
        int, typer.Option(min=0, max=2, help="Bảng tính: 0 = gọn gàng, 1 = như các sở gửi, 2 = lộn xộn nhất có thể")
    ] = 1,
) -> None:
    """Ghi một tỉnh mẫu: dữ liệu tổng hợp, hiệu chỉnh theo số tổng đã công bố."""
    try:
        with progress.bar("Tạo tỉnh mẫu", unit="bước") as bar:
            write_province(folder, period, seed, scale, lambda _what, done, total: bar.update(done, total), messiness)
    except UnknownPeriod as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(cli.BAD_USAGE) from None


def serve_sample(
    folder: Annotated[Path, typer.Argument(help="Thư mục của tỉnh mẫu")],
    command: Annotated[
        list[str] | None, typer.Argument(help="Lệnh chạy trong lúc đóng vai, với các biến CCHC_ trỏ vào tỉnh mẫu")
    ] = None,
    port: Annotated[
        int, typer.Option(help="Cổng của Cổng DVC, dịch vụ ngân sách và thư ở hai cổng kế tiếp; 0 = cổng trống bất kỳ")
    ] = 0,
    faults: Annotated[bool, typer.Option("--faults", help="Gây mọi lỗi truyền tin mà quy ước nêu")] = False,
) -> None:
    """Đóng vai các dịch vụ của tỉnh mẫu trên địa chỉ nội bộ của máy, cho đến khi lệnh xong hoặc bấm Ctrl-C."""
    with (
        portal.serve(folder, port=port, faults=portal.Faults.all() if faults else None) as played_portal,
        budget.serve(folder, port=port and port + 1, faults=budget.Faults.all() if faults else None) as played_budget,
        mail.serve(folder / "mail", port=port and port + 2) as played_mail,
    ):
        contacts = folder.resolve() / "danh-ba.csv"
        mail.write_contacts(contacts)
        variables = {
            "CCHC_PORTAL_URL": played_portal.url,
            "CCHC_PORTAL_USERNAME": played_portal.account.username,
            "CCHC_PORTAL_PASSWORD": played_portal.account.password,
            "CCHC_PORTAL_UNIT": played_portal.account.unit,
            "CCHC_PORTAL_DSTCODE": played_portal.account.dstcode,
            "CCHC_BUDGET_URL": played_budget.url,
            "CCHC_BUDGET_CLIENT_ID": played_budget.client.client_id,
            "CCHC_BUDGET_CLIENT_SECRET": played_budget.client.client_secret,
            "CCHC_SMTP_HOST": mail.HOST,
            "CCHC_SMTP_PORT": str(played_mail.port),
            "CCHC_SMTP_SECURITY": "none",
            "CCHC_SMTP_SENDER": mail.SENDER,
            "CCHC_ALERT_TO": mail.OWNER,
            "CCHC_CONTACTS": str(contacts),
        }
        if not command:
            _announce(variables)
            return
        environment = os.environ | {
            "CCHC_SYNTHETIC": "true",
            "CCHC_INBOX": str(folder.resolve() / "inbox"),
            **variables,
            # on loopback nobody has to be spared
            "CCHC_PORTAL_CALLS_PER_SECOND": "2000",
        }
        child = subprocess.Popen(command, env=environment)
        while True:
            try:
                code = child.wait()
                break
            except KeyboardInterrupt:
                continue  # the terminal sent it to the command too, which ends in its own way
    raise typer.Exit(code if code >= 0 else cli.FAILED)


def _announce(variables: dict[str, str]) -> None:
    """Say how to reach the players, then wait for Ctrl-C."""
    typer.echo("Các dịch vụ của tỉnh mẫu đang chạy, nhấn Ctrl-C để dừng. Cấu hình để dùng:")
    for name, value in variables.items():
        typer.echo(f"  export {name}='{value}'")
    sys.stdout.flush()
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        typer.echo("Đã dừng.")
