using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portvakt.Server.Data.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class Methods : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.RenameColumn(
                name: "use",
                table: "sign_in_attempts",
                newName: "chosen");

            migrationBuilder.AddColumn<int>(
                name: "drift",
                table: "totps",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<string>(
                name: "model",
                table: "totps",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "name",
                table: "totps",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "period",
                table: "totps",
                type: "INTEGER",
                nullable: false,
                defaultValue: 30);

            migrationBuilder.AddColumn<string>(
                name: "serial_number",
                table: "totps",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "adds",
                table: "sign_in_attempts",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<byte[]>(
                name: "challenge",
                table: "sign_in_attempts",
                type: "BLOB",
                nullable: true);

            migrationBuilder.AddColumn<DateTime>(
                name: "challenge_expires_at",
                table: "sign_in_attempts",
                type: "TEXT",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "without_password",
                table: "sign_in_attempts",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<bool>(
                name: "without_password",
                table: "sessions",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<int>(
                name: "preferred_method",
                table: "people",
                type: "INTEGER",
                maxLength: 40,
                nullable: true);

            migrationBuilder.CreateTable(
                name: "method_policies",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    name = table.Column<string>(type: "TEXT", maxLength: 80, nullable: false),
                    position = table.Column<int>(type: "INTEGER", nullable: false),
                    rule = table.Column<string>(type: "TEXT", nullable: false),
                    for_enrolment = table.Column<int>(type: "INTEGER", maxLength: 40, nullable: false),
                    for_use = table.Column<int>(type: "INTEGER", maxLength: 40, nullable: false),
                    pass = table.Column<string>(type: "TEXT", maxLength: 40, nullable: false),
                    maximum_phones = table.Column<int>(type: "INTEGER", nullable: false),
                    maximum_passkeys = table.Column<int>(type: "INTEGER", nullable: false),
                    created_at = table.Column<DateTime>(type: "TEXT", nullable: false),
                    version = table.Column<int>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_method_policies", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "passkeys",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    person_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    credential_id = table.Column<byte[]>(type: "BLOB", nullable: false),
                    public_key = table.Column<byte[]>(type: "BLOB", nullable: false),
                    aaguid = table.Column<Guid>(type: "TEXT", nullable: false),
                    signature_counter = table.Column<long>(type: "INTEGER", nullable: false),
                    backup_eligible = table.Column<bool>(type: "INTEGER", nullable: false),
                    backed_up = table.Column<bool>(type: "INTEGER", nullable: false),
                    name = table.Column<string>(type: "TEXT", maxLength: 60, nullable: false),
                    created_at = table.Column<DateTime>(type: "TEXT", nullable: false),
                    last_used_at = table.Column<DateTime>(type: "TEXT", nullable: true),
                    version = table.Column<int>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_passkeys", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "telephone_messages",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    person_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    number_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    number = table.Column<string>(type: "TEXT", nullable: false),
                    method = table.Column<int>(type: "INTEGER", maxLength: 40, nullable: false),
                    attempt_id = table.Column<string>(type: "TEXT", nullable: false),
                    code_hash = table.Column<byte[]>(type: "BLOB", nullable: false),
                    sealed_code = table.Column<byte[]>(type: "BLOB", nullable: true),
                    language = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<DateTime>(type: "TEXT", nullable: false),
                    expires_at = table.Column<DateTime>(type: "TEXT", nullable: false),
                    next_try_at = table.Column<DateTime>(type: "TEXT", nullable: false),
                    tries = table.Column<int>(type: "INTEGER", nullable: false),
                    state = table.Column<string>(type: "TEXT", maxLength: 40, nullable: false),
                    gateway_id = table.Column<string>(type: "TEXT", nullable: true),
                    problem = table.Column<string>(type: "TEXT", nullable: true),
                    used_at = table.Column<DateTime>(type: "TEXT", nullable: true),
                    version = table.Column<int>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_telephone_messages", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "telephone_numbers",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "TEXT", nullable: false),
                    person_id = table.Column<Guid>(type: "TEXT", nullable: false),
                    kind = table.Column<string>(type: "TEXT", maxLength: 40, nullable: false),
                    number = table.Column<string>(type: "TEXT", nullable: false),
                    state = table.Column<string>(type: "TEXT", maxLength: 40, nullable: false),
                    attempt_id = table.Column<string>(type: "TEXT", nullable: true),
                    created_at = table.Column<DateTime>(type: "TEXT", nullable: false),
                    last_used_at = table.Column<DateTime>(type: "TEXT", nullable: true),
                    version = table.Column<int>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_telephone_numbers", x => x.id);
                });

            migrationBuilder.CreateIndex(
                name: "ix_totps_serial_number",
                table: "totps",
                column: "serial_number");

            migrationBuilder.CreateIndex(
                name: "ix_method_policies_name",
                table: "method_policies",
                column: "name",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_passkeys_credential_id",
                table: "passkeys",
                column: "credential_id",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_passkeys_person_id",
                table: "passkeys",
                column: "person_id");

            migrationBuilder.CreateIndex(
                name: "ix_telephone_messages_attempt_id",
                table: "telephone_messages",
                column: "attempt_id");

            migrationBuilder.CreateIndex(
                name: "ix_telephone_messages_gateway_id",
                table: "telephone_messages",
                column: "gateway_id");

            migrationBuilder.CreateIndex(
                name: "ix_telephone_messages_number_created_at",
                table: "telephone_messages",
                columns: new[] { "number", "created_at" });

            migrationBuilder.CreateIndex(
                name: "ix_telephone_messages_person_id_created_at",
                table: "telephone_messages",
                columns: new[] { "person_id", "created_at" });

            migrationBuilder.CreateIndex(
                name: "ix_telephone_messages_state_next_try_at",
                table: "telephone_messages",
                columns: new[] { "state", "next_try_at" });

            migrationBuilder.CreateIndex(
                name: "ix_telephone_numbers_person_id",
                table: "telephone_numbers",
                column: "person_id");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "method_policies");

            migrationBuilder.DropTable(
                name: "passkeys");

            migrationBuilder.DropTable(
                name: "telephone_messages");

            migrationBuilder.DropTable(
                name: "telephone_numbers");

            migrationBuilder.DropIndex(
                name: "ix_totps_serial_number",
                table: "totps");

            migrationBuilder.DropColumn(
                name: "drift",
                table: "totps");

            migrationBuilder.DropColumn(
                name: "model",
                table: "totps");

            migrationBuilder.DropColumn(
                name: "name",
                table: "totps");

            migrationBuilder.DropColumn(
                name: "period",
                table: "totps");

            migrationBuilder.DropColumn(
                name: "serial_number",
                table: "totps");

            migrationBuilder.DropColumn(
                name: "adds",
                table: "sign_in_attempts");

            migrationBuilder.DropColumn(
                name: "challenge",
                table: "sign_in_attempts");

            migrationBuilder.DropColumn(
                name: "challenge_expires_at",
                table: "sign_in_attempts");

            migrationBuilder.DropColumn(
                name: "without_password",
                table: "sign_in_attempts");

            migrationBuilder.DropColumn(
                name: "without_password",
                table: "sessions");

            migrationBuilder.DropColumn(
                name: "preferred_method",
                table: "people");

            migrationBuilder.RenameColumn(
                name: "chosen",
                table: "sign_in_attempts",
                newName: "use");
        }
    }
}
