"""Commands of keeping: backup, restore, retention."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cchc import backup as copies
from cchc import cli, progress, warehouse
from cchc.periods import LOCAL_ZONE
from cchc.settings import get_settings
from extract import retention, sources


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("backup")(backup)
    app.command("restore")(restore)
    app.command("retention")(delete_old_originals)


def backup(
    file: Annotated[Path, typer.Argument(help="Tệp bản sao sẽ ghi, ví dụ cchc-2024-06-15.tar.zst", dir_okay=False)],
) -> None:
    """Sao lưu kho dữ liệu nhúng, kho bản gốc và các tệp báo cáo vào một tệp; chạy được cả khi đang nạp."""
    try:
        done = copies.backup(get_settings(), file)
    except (copies.BackupError, OSError) as error:
        raise _stop(error) from None
    typer.echo(f"Đã sao lưu kho dữ liệu và {progress.vietnamese(done.file_count)} tệp vào {file}")
    typer.echo("Bản sao có bản gốc chứa dữ liệu cá nhân: hãy cất ở nơi an toàn; CCHC_PSEUDONYM_KEY phải giữ riêng.")


def restore(
    file: Annotated[Path, typer.Argument(help="Tệp do cchc backup ghi", exists=True, dir_okay=False)],
    replace: Annotated[bool, typer.Option("--replace", help="Thay kho dữ liệu đang có số liệu")] = False,
    check: Annotated[bool, typer.Option("--check", help="Chỉ kiểm tra bản sao, không khôi phục")] = False,
) -> None:
    """Khôi phục kho dữ liệu, kho bản gốc và các tệp báo cáo từ một bản sao."""
    try:
        found = copies.inspect(file) if check else copies.restore(get_settings(), file, replace=replace)
    except (copies.BackupError, OSError) as error:
        raise _stop(error) from None
    what = "Bản sao còn nguyên vẹn" if check else "Đã khôi phục"
    typer.echo(
        f"{what}: lập lúc {found.made_at.astimezone(LOCAL_ZONE):%H:%M %d/%m/%Y}, "
        f"phiên bản phần mềm {found.code_version[:12]}, {progress.vietnamese(found.file_count)} tệp"
    )


def delete_old_originals(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Chỉ liệt kê, không xóa")] = False,
) -> None:
    """Xóa bản gốc đã quá thời hạn lưu (CCHC_RETENTION_YEARS); bản gốc của báo cáo đã chốt không bao giờ bị xóa."""
    settings = get_settings()
    with warehouse.available(settings) as url:
        with warehouse.engine_on(url) as engine:
            sources.prepare(engine)
        with warehouse.engine_on(url, "loader") as engine:
            try:
                find = retention.expired if dry_run else retention.delete_expired
                found = find(settings, engine)
            except OSError as error:
                raise _stop(error) from None
    for original in found:
        typer.echo(f"{original.last_needed_at.astimezone(LOCAL_ZONE):%d/%m/%Y} · {original.source} · {original.uri}")
    what = "sẽ bị xóa" if dry_run else "đã xóa"
    typer.echo(f"{progress.vietnamese(len(found))} bản gốc quá {settings.retention_years} năm {what}")


def _stop(error: Exception) -> typer.Exit:
    typer.echo(str(error), err=True)
    return typer.Exit(cli.FAILED)
