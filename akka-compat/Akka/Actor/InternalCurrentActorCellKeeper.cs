namespace Akka.Actor.Internal;

/// <summary>The cell whose actor runs on this thread. For test kits.</summary>
public static class InternalCurrentActorCellKeeper
{
    public static ActorCell Current
    {
        get => ActorCell.Current;
        set => ActorCell.Leave(value);
    }
}
