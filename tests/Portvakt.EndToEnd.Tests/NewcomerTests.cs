using Microsoft.Playwright;
using Portvakt.EndToEnd.Tests.Actors;
using static Microsoft.Playwright.Assertions;

namespace Portvakt.EndToEnd.Tests;

/// <summary>
/// Somebody who has seen nothing but the poster on the wall, and takes every wrong turn there is: docs/journeys/newcomer.md. What each screen says then is written there and here, word for word.
/// </summary>
public sealed class NewcomerTests(Running running)
{
    [Fact]
    public async Task Whoever_has_only_the_poster_gets_to_the_end_without_the_helpdesk()
    {
        await using var scene = await Scene.SetAsync(running, phone: new PhoneOptions { UserAgent = PhoneOptions.Iphone, AllowsCamera = false });
        var (walk, phone, words) = (scene.Walk, scene.Phone, scene.Words);

        // The wall. The phone's own camera opens what the picture says; the same address stands below it.
        string start, address;
        await using (var wall = await Computer.StartAsync(running.House, "nb"))
        {
            await wall.Page.GotoAsync(running.House.Server + "/guides/poster");
            await Expect(wall.Page.Locator("svg.pv-qr")).ToBeVisibleAsync();
            await Expect(wall.Page.Locator("main")).ToContainTextAsync("Åpne denne adressen på datamaskinen, logg på, og klikk «Neste»:");
            start = await wall.Page.Locator(".pv-poster li .pv-address").First.InnerTextAsync();
            address = await wall.Page.Locator(".pv-poster li .pv-address").Last.InnerTextAsync();
            Running.NobodyComplained(wall.Witness);
        }

        Assert.Equal(new Uri(running.House.Server).Authority + "/guides", address);
        await phone.Page.GotoAsync("http://" + address);
        await Expect(phone.Page.Locator("article[data-guide=Iphone]")).ToBeVisibleAsync();

        // Wrong turn: a browser in which the app could never ring.
        await using (var other = await PhoneInBrowser.UnpackAsync(running.House, "nb", new PhoneOptions { UserAgent = PhoneOptions.IphoneChrome }))
        {
            await other.OpenAsync("/phone/get");
            await Expect(other.Page.Locator("main")).ToContainTextAsync("Fortsett i Safari.");
        }

        // The address on the poster leads into the set-up by itself, and so does any application.
        await scene.Computer.Page.GotoAsync("http://" + start);
        await scene.Computer.SignInAsync(scene.Employee);
        await walk.HeadingAsync(words.MoreInformation);
        await walk.ClickAsync(words.Next);
        await walk.SetUpPhoneAsync();
        await phone.OpenAsync();
        await phone.EnterAsync(words.Open);
        await phone.TapAsync(words.Agree);

        // Wrong turn: no to the camera.
        await phone.TapAsync(words.ScanQr);
        await phone.PointCameraAtAsync(scene.Computer);
        await phone.TapAsync(words.CameraOn);
        await Expect(phone.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Tillat det i innstillingene til nettleseren, eller skriv inn koden.");
        await phone.TapAsync(words.EnterCode);

        // Wrong turn: half a code; then one that is no longer shown.
        var field = phone.Page.Locator("#code");
        await field.FillAsync("ABCD-EFGH");
        await phone.TapAsync(words.Next);
        await Expect(phone.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Dette er ikke hele koden.");
        var old = await walk.ReadCodeAsync();
        await walk.ClickAsync(words.NewCode);
        await Expect(scene.Computer.Page.Locator("[data-typed-code]")).Not.ToHaveTextAsync(old);
        foreach (var status in new[] { "404", "409", "410" }) phone.Witness.Expect(status); // the browser writes a refusal on its console
        await field.FillAsync(old);
        await phone.TapAsync(words.Next);
        await Expect(phone.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("ent en ny kode");

        // Wrong turn: the page on the computer is closed. Signing in again leads back to the picture.
        await scene.Computer.Page.GotoAsync("about:blank");
        await walk.ToSetUpAsync(scene.Employee);
        if (!await field.IsVisibleAsync()) await phone.TapAsync(words.EnterCode);
        await walk.TypeIntoFieldAsync();
        await Expect(phone.Button(words.YesAdd)).ToBeVisibleAsync();

        // Wrong turn: the computer is asked to go on before the phone is ready. It cannot be.
        await Expect(walk.Button(words.Next)).ToBeDisabledAsync();
        await walk.BindAsync();
        await walk.ReadyAsync();
        await walk.ClickAsync(words.Next);

        // Wrong turn: another number than the one on the screen.
        await Expect(phone.Heading(words.ApproveTest)).ToBeVisibleAsync();
        await phone.ApproveAsync(await scene.Computer.ReadNumberAsync() is "42" ? "43" : "42", words.Approve);
        await Expect(phone.Heading("Feil tall")).ToBeVisibleAsync();
        await Expect(phone.Page.Locator("main")).ToContainTextAsync("Klikk Send på nytt på datamaskinen.");
        await phone.TapAsync(words.Done);
        await Expect(scene.Computer.Page.Locator("#live")).ToContainTextAsync("Send på nytt for å få et nytt tall.");
        await walk.ClickAsync(words.SendAgain);

        // Wrong turn: the phone was put away, and its app is locked.
        await phone.OpenLongAfterAsync();
        await Expect(phone.Heading("Appen er låst")).ToBeVisibleAsync();
        await phone.TapAsync(words.Unlock);
        await walk.AnswerTestAsync();
        await walk.FinishAsync();
        scene.NobodyComplained();
    }
}
