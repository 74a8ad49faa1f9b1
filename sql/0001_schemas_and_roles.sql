-- Four roles, each able to do its job and no more. They cannot log in: a login is made a member of one of them, and the
-- product itself switches to them with SET ROLE. Roles belong to the whole cluster, hence the guards.
do $$
declare
    role_name text;
begin
    foreach role_name in array array['owner', 'loader', 'transformer', 'bi_reader'] loop
        if not exists (select from pg_roles where rolname = role_name) then
            begin
                execute format('create role %I nologin noinherit', role_name);
            exception when duplicate_object or unique_violation then null;  -- another database's migration was faster
            end;
        end if;
        if not pg_has_role(current_user, role_name, 'member') then
            execute format('grant %I to current_user', role_name);
        end if;
    end loop;
end
$$;

do $$
begin
    execute format('revoke all on database %I from public', current_database());
    execute format('grant connect on database %I to owner, loader, transformer, bi_reader', current_database());
    execute format('grant create, temporary on database %I to owner, transformer', current_database());
    execute format('grant temporary on database %I to loader', current_database());
end
$$;
revoke all on schema public from public;

create schema raw authorization owner;
create schema ops authorization owner;
comment on schema raw is 'Dữ liệu nguồn đã kiểm tra, chỉ thêm không sửa; mỗi dòng biết lần nạp và số dòng trong tệp';
comment on schema ops is 'Sổ nạp dữ liệu, dòng bị loại, kỳ báo cáo được yêu cầu và các lần công bố';

grant usage on schema raw to loader, transformer;
grant usage on schema ops to loader, transformer;
