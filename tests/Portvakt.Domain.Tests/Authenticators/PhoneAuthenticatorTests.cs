using Portvakt.Domain.Authenticators;

namespace Portvakt.Domain.Tests.Authenticators;

/// <summary>A phone that is bound anew by the passkey it has kept.</summary>
public sealed class PhoneAuthenticatorTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 2, 8, 0, 0, TimeSpan.Zero);

    private static PhoneAuthenticator Bound(PhoneUnlock unlock = PhoneUnlock.Passkey) => new(Guid.CreateVersion7(Now), "old key", [1], unlock, "Karis telefon", "2026-10", "0.1.0", Now)
    {
        CredentialId = unlock is PhoneUnlock.Passkey ? [7] : null,
        CredentialKey = unlock is PhoneUnlock.Passkey ? [8] : null,
        BackupEligible = true,
    };

    [Fact]
    public void Two_keys_of_one_phone_never_count_together_and_the_passkey_goes_on_to_the_new_one()
    {
        var old = Bound();
        old.Activate();
        old.RecordAssertion(41, backedUp: true);
        old.SetPush([9]);
        var anew = old.BindAnew("new key", [2], "iPhone · Safari", "2026-11", "0.2.0", Now.AddDays(40));

        Assert.Equal((AuthenticatorState.Revoked, AuthenticatorState.Active), (old.State, anew.State));
        Assert.Null(old.CredentialId);
        Assert.Equal([8], old.CredentialKey); // what it signed can still be verified
        Assert.Null(old.SealedPush);
        Assert.Equal([7], anew.CredentialId);
        Assert.Equal([8], anew.CredentialKey);
        Assert.Equal((old.PersonId, "new key", "iPhone · Safari", "2026-11", "0.2.0", 41L, true, true), (anew.PersonId, anew.KeyId, anew.Name, anew.ConsentVersion, anew.AppVersion, anew.SignatureCounter, anew.BackupEligible, anew.BackedUp));
        Assert.NotEqual(old.Id, anew.Id);
    }

    [Fact]
    public void What_does_not_count_cannot_be_bound_anew()
    {
        var (waiting, revoked, removed, pin) = (Bound(), Bound(), Bound(), Bound(PhoneUnlock.Pin));
        foreach (var phone in new[] { revoked, removed, pin }) phone.Activate();
        revoked.Revoke();
        removed.RemoveOnPhone(Now);
        foreach (var phone in new[] { waiting, revoked, removed, pin })
        {
            var before = phone.State;
            Assert.Throws<InvalidOperationException>(() => phone.BindAnew("new key", [2], "x", "1", "1", Now));
            Assert.Equal(before, phone.State);
        }
    }
}
